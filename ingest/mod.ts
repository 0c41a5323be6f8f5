export { createToken, type FixedToken, type NewToken, sha256Of, type TokenInfo } from './api/mod.ts';
export { type Centre, type CentreDependencies, createCentre } from './centre.ts';
export { type EdgeAccount, type IngestConfig, IngestConfigFile, loadIngestConfig } from './config.ts';
