export { type EdgeConfig, EdgeConfigFile, loadEdgeConfig } from './config.ts';
export { openDesired, openStartingModel, type StartingDesired, type StartingModel } from './desired/mod.ts';
export { chineseFont } from './evidence/mod.ts';
export { createEdgeNode, type EdgeNode } from './node.ts';
export { Outbox, type OutboxOptions } from './outbox/mod.ts';
