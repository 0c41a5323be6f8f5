export { randomPassword, randomToken } from './tokens.ts';
export { CITY, type Installation, type InstallationPlan, writeInstallation } from './write.ts';
