export { Console } from './console.tsx';
export { giveNonceToStyles } from './nonce.ts';
export { type Scheme, useScheme } from './theme.tsx';
