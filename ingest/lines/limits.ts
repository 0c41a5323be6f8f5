/** Fields in one line at most. */
export const LINE_FIELDS_MAX = 128;
/** Of a kind, a device, an edge and the name of a field. */
export const ID_BYTES_MAX = 64;
