export { type EdgeConfig, EdgeConfigFile, loadEdgeConfig } from './config.ts';
export { createEdgeNode, type EdgeNode } from './node.ts';
