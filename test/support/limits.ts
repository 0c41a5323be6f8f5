import { checkConfig } from '#service/mod.ts';
import { BrokerLimits } from '#service/mqtt/mod.ts';

/** The shipped limits of a broker. */
export const BROKER_LIMITS = checkConfig('limits', BrokerLimits, {});
