/** What the viewer in a browser needs of the wire: nothing here needs Node. */
export type {
  LiveBox,
  LiveBoxes,
  LiveCodec,
  LiveEnded,
  LiveForm,
  LiveOpen,
  LiveStart,
  LiveState,
  LiveView,
  ViewerLive,
} from '../wire/live.ts';
export { KeyGate } from './gate.ts';
export { decodePacket, encodePacket, type LivePacket, PACKET_HEAD_BYTES } from './packet.ts';
