/**
 * The pairing of rows with columns that has the greatest total worth, each used once at most: shortest augmenting paths
 * (Jonker and Volgenant, Computing 38, 1987). `worth[row][column]` is 0 where the two may not be paired, else positive.
 * Returns the column of each row, or -1. Takes n * n * m steps, n the rows and m the columns.
 */
export function assign(worth: readonly (readonly number[])[]): number[] {
  const rows = worth.length;
  const columns = Math.max(0, ...worth.map((row) => row.length));
  if (rows === 0 || columns === 0) return worth.map(() => -1);
  const most = Math.max(0, ...worth.flat());
  // Columns without worth are added, one for each row: to pair with one of them is to stay alone.
  const width = columns + rows;
  const cost = (row: number, column: number): number => most - (worth[row]?.[column] ?? 0);
  const potentialOfRow = new Float64Array(rows + 1);
  const potential = new Float64Array(width + 1);
  /** Row of each column, both from 1; 0 is none, column 0 the row that looks for one. */
  const holder = new Int32Array(width + 1);
  for (let row = 1; row <= rows; row++) {
    holder[0] = row;
    const from = new Int32Array(width + 1);
    const least = new Float64Array(width + 1).fill(Number.POSITIVE_INFINITY);
    const done = new Uint8Array(width + 1);
    let at = 0;
    do {
      done[at] = 1;
      const asking = holder[at] as number;
      let [next, step] = [0, Number.POSITIVE_INFINITY];
      for (let column = 1; column <= width; column++) {
        if (done[column]) continue;
        const reduced = cost(asking - 1, column - 1) - (potentialOfRow[asking] as number) - (potential[column] as number);
        if (reduced < (least[column] as number)) {
          least[column] = reduced;
          from[column] = at;
        }
        if ((least[column] as number) < step) [next, step] = [column, least[column] as number];
      }
      for (let column = 0; column <= width; column++) {
        if (done[column]) {
          potentialOfRow[holder[column] as number] = (potentialOfRow[holder[column] as number] as number) + step;
          potential[column] = (potential[column] as number) - step;
        } else least[column] = (least[column] as number) - step;
      }
      at = next;
    } while (holder[at] !== 0);
    for (; at !== 0; at = from[at] as number) holder[at] = holder[from[at] as number] as number;
  }
  const columnOf = new Array<number>(rows).fill(-1);
  for (let column = 1; column <= columns; column++) {
    const row = (holder[column] as number) - 1;
    if (row >= 0 && (worth[row]?.[column - 1] ?? 0) > 0) columnOf[row] = column - 1;
  }
  return columnOf;
}
