export { randomPassword, randomToken } from './tokens.ts';
export { CITY, type Installation, type InstallationPlan, smallCity, writeInstallation } from './write.ts';
