export { type ReplicaState, Replicas } from './replicas.ts';
