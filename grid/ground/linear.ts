/** The little linear algebra that a homography needs. Matrices are arrays of rows. */
export type Matrix = number[][];

/**
 * Eigenvalues and eigenvectors of a symmetric matrix by cyclic Jacobi rotations (Golub and Van Loan, Matrix
 * Computations, section 8.5). `vectors[i]` belongs to `values[i]`; sorted, smallest first.
 */
export function eigenSymmetric(input: Matrix): { values: number[]; vectors: Matrix } {
  const n = input.length;
  const a = input.map((row) => [...row]);
  const v = a.map((_, i) => a.map((__, j) => (i === j ? 1 : 0)));
  const get = (m: Matrix, i: number, j: number): number => (m[i] as number[])[j] as number;
  const set = (m: Matrix, i: number, j: number, x: number): void => {
    (m[i] as number[])[j] = x;
  };
  const scale = Math.max(...a.flat().map(Math.abs), Number.MIN_VALUE);
  for (let sweep = 0; sweep < 100; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off = Math.max(off, Math.abs(get(a, p, q)));
    if (off <= scale * 1e-17) break;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (get(a, p, q) === 0) continue;
        const theta = (get(a, q, q) - get(a, p, p)) / (2 * get(a, p, q));
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < n; k++) {
          const [kp, kq] = [get(a, k, p), get(a, k, q)];
          set(a, k, p, c * kp - s * kq);
          set(a, k, q, s * kp + c * kq);
        }
        for (let k = 0; k < n; k++) {
          const [pk, qk] = [get(a, p, k), get(a, q, k)];
          set(a, p, k, c * pk - s * qk);
          set(a, q, k, s * pk + c * qk);
          const [vp, vq] = [get(v, p, k), get(v, q, k)];
          set(v, p, k, c * vp - s * vq);
          set(v, q, k, s * vp + c * vq);
        }
      }
    }
  }
  const order = a.map((_, i) => i).sort((i, j) => get(a, i, i) - get(a, j, j));
  return { values: order.map((i) => get(a, i, i)), vectors: order.map((i) => v[i] as number[]) };
}

/** 3 x 3, row by row. */
export type Homography = readonly [number, number, number, number, number, number, number, number, number];

export function multiply3(a: Homography, b: Homography): Homography {
  const out = [];
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++) {
      let sum = 0;
      for (let k = 0; k < 3; k++) sum += (a[i * 3 + k] as number) * (b[k * 3 + j] as number);
      out.push(sum);
    }
  return out as unknown as Homography;
}

export function determinant3([a, b, c, d, e, f, g, h, i]: Homography): number {
  return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
}

/** The inverse but for a factor, which a projective map does not mind. */
export function adjugate3([a, b, c, d, e, f, g, h, i]: Homography): Homography {
  return [
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ];
}
