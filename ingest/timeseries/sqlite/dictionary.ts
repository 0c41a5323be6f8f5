import type { DatabaseSync } from 'node:sqlite';
import type { LineScanner } from '../../lines/mod.ts';
import { parseShape, type Shape, type ShapeField, shapeText } from './row.ts';

/** A series and the shape that its last reading had: nearly always the one of the next. */
export interface Series {
  id: number;
  kind: string;
  shape: Shape | null;
}

/** Limits on what a broken or hostile edge could invent. */
const SERIES_MAX = 200_000;
const SHAPES_MAX = 20_000;

const CREATE = { series: 'INSERT INTO series (kind, cell, device, edge) VALUES (?, ?, ?, ?) RETURNING id' };

/**
 * What repeats is stored once: series (tags), shapes (lists of fields), the type of each field of a kind. All of it is
 * held in memory; `forget` drops what a rolled-back transaction may have added, and the next use loads it again.
 */
export class Dictionary {
  readonly #db: DatabaseSync;
  readonly #series = new Map<string, Series>();
  readonly #shapes = new Map<string, Shape>();
  readonly #shapesById = new Map<number, Shape>();
  /** `kind name` to 'n' or 'b'. */
  readonly #types = new Map<string, string>();
  /** `kind shapeId` whose types were checked. */
  readonly #checked = new Set<string>();
  #loaded = false;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  forget(): void {
    this.#series.clear();
    this.#shapes.clear();
    this.#shapesById.clear();
    this.#types.clear();
    this.#checked.clear();
    this.#loaded = false;
  }

  load(): void {
    if (this.#loaded) return;
    this.forget();
    for (const row of this.#db.prepare('SELECT id, kind, cell, device, edge FROM series').iterate()) {
      const { id, kind, cell, device, edge } = row as { id: number; kind: string; cell: string; device: string; edge: string };
      this.#series.set(`${kind},cell=${cell},device=${device},edge=${edge}`, { id, kind, shape: null });
    }
    for (const row of this.#db.prepare('SELECT id, fields FROM shape').iterate()) {
      const { id, fields } = row as { id: number; fields: string };
      this.#keep(parseShape(id, fields), fields);
    }
    for (const row of this.#db.prepare('SELECT kind, name, type FROM field').iterate()) {
      const { kind, name, type } = row as { kind: string; name: string; type: string };
      this.#types.set(`${kind} ${name}`, type);
    }
    this.#loaded = true;
  }

  /** The series of the line that `scan` has just seen, or why there is none. */
  series(text: string, start: number, scan: LineScanner): Series | string {
    const head = text.slice(start, scan.edgeEnd);
    const known = this.#series.get(head);
    if (known) return known;
    if (this.#series.size >= SERIES_MAX) return `more than ${SERIES_MAX} series`;
    // A slice would keep the whole text alive.
    const own = Buffer.from(head, 'latin1').toString('latin1');
    const [kind, cell, device, edge] = own.split(/,[a-z]+=/) as [string, string, string, string];
    const { id } = this.#db.prepare(CREATE.series).get(kind, cell, device, edge) as { id: number };
    const made: Series = { id, kind, shape: null };
    this.#series.set(own, made);
    return made;
  }

  /** The shape of the line just scanned, checked against the types that its kind has; or the conflict. */
  shape(text: string, scan: LineScanner, series: Series): Shape | string {
    if (series.shape && sameShape(text, scan, series.shape)) return series.shape;
    const fields: ShapeField[] = [];
    for (let i = 0; i < scan.fieldCount; i++)
      fields.push({ name: text.slice(scan.nameStart[i], scan.nameEnd[i]), boolean: scan.boolean[i] === 1 });
    const key = Buffer.from(shapeText(fields), 'latin1').toString('latin1');
    const known = this.#shapes.get(key);
    if (!known && this.#shapes.size >= SHAPES_MAX) return `more than ${SHAPES_MAX} sets of fields`;
    if (!known || !this.#checked.has(`${series.kind} ${known.id}`)) {
      const conflict = this.#checkTypes(series.kind, key);
      if (conflict) return conflict;
    }
    const shape = known ?? this.shapeOf(key);
    this.#checked.add(`${series.kind} ${shape.id}`);
    series.shape = shape;
    return shape;
  }

  /** The stored shape of a list of fields; made if new. */
  shapeOf(text: string): Shape {
    const known = this.#shapes.get(text);
    if (known) return known;
    const { id } = this.#db.prepare('INSERT INTO shape (fields) VALUES (?) RETURNING id').get(text) as { id: number };
    return this.#keep(parseShape(id, text), text);
  }

  shapeById(id: number): Shape {
    let shape = this.#shapesById.get(id);
    if (!shape) {
      const row = this.#db.prepare('SELECT fields FROM shape WHERE id = ?').get(id) as { fields: string };
      shape = this.#keep(parseShape(id, row.fields), row.fields);
    }
    return shape;
  }

  #keep(shape: Shape, text: string): Shape {
    this.#shapes.set(text, shape);
    this.#shapesById.set(shape.id, shape);
    return shape;
  }

  /** A field keeps the type of its first reading, as in InfluxDB. */
  #checkTypes(kind: string, key: string): string | null {
    const fields = key.split(',').map((f) => ({ name: f.slice(0, -2), type: f.slice(-1) }));
    for (const { name, type } of fields) {
      const known = this.#types.get(`${kind} ${name}`);
      if (known !== undefined && known !== type)
        return `field type conflict: ${kind} ${name} is ${word(known)}, not ${word(type)}`;
    }
    for (const { name, type } of fields) {
      if (this.#types.has(`${kind} ${name}`)) continue;
      this.#db.prepare('INSERT INTO field (kind, name, type) VALUES (?, ?, ?)').run(kind, name, type);
      this.#types.set(`${kind} ${name}`, type);
    }
    return null;
  }
}

const word = (type: string) => (type === 'b' ? 'boolean' : 'number');

function sameShape(text: string, scan: LineScanner, shape: Shape): boolean {
  if (shape.fields.length !== scan.fieldCount) return false;
  for (let i = 0; i < scan.fieldCount; i++) {
    const f = shape.fields[i] as ShapeField;
    const start = scan.nameStart[i] as number;
    if ((scan.boolean[i] === 1) !== f.boolean || (scan.nameEnd[i] as number) - start !== f.name.length) return false;
    if (!text.startsWith(f.name, start)) return false;
  }
  return true;
}
