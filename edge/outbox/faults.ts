/** The seam for a disk that cannot sync (0) and for a thread that dies (1): as many times as the number says. */
export function takeFault(faults: Int32Array | undefined): void {
  const take = (i: number) => faults !== undefined && (faults[i] ?? 0) > 0 && Atomics.sub(faults, i, 1) > 0;
  if (take(0)) throw new Error('disk I/O error (injected)');
  if (take(1)) process.exit(1);
}
