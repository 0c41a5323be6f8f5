export { CentreApi, type CentreApiDeps, type CentreRequest } from './api.ts';
