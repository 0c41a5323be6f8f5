export { checkModel, type ModelReport } from './check.ts';
export { type OnnxFacts, readOnnx } from './onnx.ts';
export { classNames, type Port, recogniseInput, recogniseOutputs, shown } from './recognise.ts';
