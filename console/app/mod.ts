export { Console } from './console.tsx';
export { type Scheme, useScheme } from './theme.tsx';
