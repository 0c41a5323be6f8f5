export * from './http.ts';
export * from './node.ts';
