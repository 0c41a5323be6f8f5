/** Of the cameras of the bench; a process each plays and watches them. */
export const CREDENTIALS = { username: 'bench', password: 'of the bench', basic: true } as const;
export const mountOf = (n: number) => `/bench-${n}`;
