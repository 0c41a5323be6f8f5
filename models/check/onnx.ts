/**
 * The little of an ONNX file that the runtime does not tell: who made it, what it was exported with, how many weights it
 * has. Read from the protobuf wire format (https://protobuf.dev/programming-guides/encoding) by the field numbers of onnx.proto.
 */
const MODEL = { graph: 7, metadata: 14 } as const;
const GRAPH_INITIALIZER = 5;
const TENSOR_DIMS = 1;
const ENTRY = { key: 1, value: 2 } as const;
const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
/** Text of one property that is kept. */
const TEXT_BYTES_MAX = 1 << 20;

export interface OnnxFacts {
  /** `metadata_props`: what the exporter wrote. */
  metadata: Readonly<Record<string, string>>;
  /** Numbers in all initializers. */
  parameters: number;
}

interface Field {
  number: number;
  /** Of varints. */
  value: number;
  /** Of everything with a length. */
  bytes: Uint8Array;
}

/** Throws RangeError when it is no protobuf message. */
export function readOnnx(file: Uint8Array): OnnxFacts {
  const metadata: Record<string, string> = {};
  let parameters = 0;
  for (const { number, bytes } of fields(file)) {
    if (number === MODEL.metadata) {
      const [key, value] = entry(bytes);
      metadata[key] = value;
    } else if (number === MODEL.graph)
      for (const field of fields(bytes)) if (field.number === GRAPH_INITIALIZER) parameters += sizeOf(field.bytes);
  }
  return { metadata, parameters };
}

function entry(message: Uint8Array): [string, string] {
  const [text, found] = [new TextDecoder(), ['', '']];
  for (const { number, bytes } of fields(message))
    if (number === ENTRY.key || number === ENTRY.value) found[number - 1] = text.decode(bytes.subarray(0, TEXT_BYTES_MAX));
  return found as [string, string];
}

/** Dims come one by one or packed. */
function sizeOf(tensor: Uint8Array): number {
  let size = 1;
  for (const { number, value, bytes } of fields(tensor)) {
    if (number !== TENSOR_DIMS) continue;
    if (bytes.length === 0) size *= value;
    for (let at = 0; at < bytes.length; ) {
      const [dim, next] = varint(bytes, at);
      size *= dim;
      at = next;
    }
  }
  return size;
}

function* fields(message: Uint8Array): Generator<Field> {
  for (let at = 0; at < message.length; ) {
    const [key, start] = varint(message, at);
    const [number, wire] = [Math.floor(key / 8), key % 8];
    let [value, bytes] = [0, message.subarray(0, 0)];
    if (wire === WIRE.varint) [value, at] = varint(message, start);
    else if (wire === WIRE.fixed64 || wire === WIRE.fixed32) at = start + (wire === WIRE.fixed64 ? 8 : 4);
    else if (wire === WIRE.bytes) {
      const [length, from] = varint(message, start);
      at = from + length;
      bytes = message.subarray(from, at);
    } else throw new RangeError(`no protobuf message: wire type ${wire}`);
    if (at > message.length) throw new RangeError('no protobuf message: it ends in the middle of a field');
    yield { number, value, bytes };
  }
}

/** Value and where the next begins. Beyond 2^53 a number is not exact, and no size is as large. */
function varint(bytes: Uint8Array, start: number): [number, number] {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return [value, start + i + 1];
  }
  throw new RangeError('no protobuf message: a number without end');
}
