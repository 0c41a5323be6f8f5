export * from './filters.tsx';
export * from './grant.tsx';
export * from './names.tsx';
export * from './page.tsx';
export * from './rows.tsx';
export * from './scroll_x.tsx';
export * from './thing.tsx';
export * from './time.tsx';
