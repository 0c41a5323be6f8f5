export { type Mapped, type MappedSample, Mapper, type MappingFault } from './map.ts';
export { CONVERSIONS, MappedField, Mapping, TIME_FORMATS } from './mapping.ts';
export { type MappingMistake, mappingMistakes } from './mistakes.ts';
export { topicCovers } from './topic.ts';
