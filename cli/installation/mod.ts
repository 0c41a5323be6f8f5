export { RunningInstallation } from './running.ts';
export { randomPassword, randomToken } from './tokens.ts';
export {
  CITY,
  type Installation,
  type InstallationPlan,
  SHIPPED_MODEL,
  smallCity,
  writeInstallation,
  zoneConfidence,
} from './write.ts';
