import { type CityPlan, cityOf, seededSecrets } from '#simulators/city/mod.ts';
import { DeviceTable } from '#simulators/world/mod.ts';
import { TellingEdges } from './edges.ts';

/** The edges are a process of their own, told by its parent what to do: the hand that moves the map must not wait for them. */
export type TellingCommand =
  | { do: 'connect'; plan: CityPlan }
  /** From now on, at a rate. */
  | { do: 'tell'; perS: number }
  | { do: 'count' };
/** UTC ms at which each event so far was sent, by its number. */
export type SentAt = number[];

let edges: TellingEdges | undefined;

async function act(command: TellingCommand): Promise<void> {
  if (command.do === 'connect') {
    const { plan } = command;
    edges = new TellingEdges(new DeviceTable(cityOf(plan)));
    await edges.start({ port: plan.ports.centreBroker, secrets: seededSecrets(plan.district.seed) });
    await edges.reportHealth();
  } else if (command.do === 'tell') edges?.tell(command.perS);
}

process.on('message', async (command: TellingCommand) => {
  try {
    await act(command);
    process.send?.((edges?.sentAt ?? []) satisfies SentAt);
  } catch (error) {
    process.stderr.write(`${(error as Error).stack}\n`);
    process.exit(1);
  }
});
process.on('disconnect', () => process.exit());
