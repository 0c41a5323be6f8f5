import { Compile } from 'typebox/compile';
import { COMMANDS, type CommandName, type CommandOf } from '#grid/wire/mod.ts';
import type { Log } from '#service/mod.ts';

/** Takes in what the centre says on `down/command`. */
export interface CommandReceiver {
  receive(message: unknown): void;
}

type Handler = (command: never) => void;
const checks = new Map(Object.entries(COMMANDS).map(([name, schema]) => [name, Compile(schema)]));

/**
 * Hands each command of the centre to the part that it is for. One that is not known here, or does not hold to its schema, is
 * logged and dropped: an edge may be older than its centre. Commands come at most as often as the centre sends them, in any order,
 * and again; a handler minds that by itself.
 */
export class CommandDispatcher implements CommandReceiver {
  readonly #handlers = new Map<string, Handler>();
  readonly #log: Log;

  constructor({ log }: { log: Log }) {
    this.#log = log;
  }

  /** To be called before the uplink starts, once for each command. The handler returns at once. */
  on<N extends CommandName>(name: N, handler: (command: CommandOf<N>) => void): void {
    this.#handlers.set(name, handler);
  }

  receive(message: unknown): void {
    const name = (message as { command?: unknown } | null)?.command;
    const handler = typeof name === 'string' ? this.#handlers.get(name) : undefined;
    if (handler === undefined || !checks.get(name as string)?.Check(message)) {
      this.#log.warn({ command: typeof name === 'string' ? name.slice(0, 64) : null }, 'a command that is not understood here');
      return;
    }
    handler(message as never);
  }
}
