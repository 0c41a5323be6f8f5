import { checkFail } from './check-fail.ts';
import { checkPass } from './check-pass.ts';
import { close } from './close.ts';
import type { Transition } from './define.ts';
import { dispatch } from './dispatch.ts';
import { feedback } from './feedback.ts';
import { file } from './file.ts';
import { forward } from './forward.ts';
import { forwardResult } from './forward-result.ts';
import { merge } from './merge.ts';
import { receive } from './receive.ts';
import { reject } from './reject.ts';
import { report } from './report.ts';
import { returnClass } from './return-class.ts';
import { returnResult } from './return-result.ts';
import { sendBack } from './send-back.ts';
import { verify } from './verify.ts';
import { withdraw } from './withdraw.ts';

/**
 * Every step of the case cycle, in the order of the main line. Source: docs/domain/lifecycle.md section 4. To add one:
 * a file in this folder, a line here.
 */
export const TRANSITIONS: readonly Transition[] = [
  report,
  verify,
  reject,
  merge,
  file,
  forward,
  returnClass,
  dispatch,
  receive,
  sendBack,
  feedback,
  forwardResult,
  returnResult,
  checkPass,
  checkFail,
  close,
  withdraw,
];

export type { Transition, TransitionContext } from './define.ts';
export { file } from './file.ts';
export { ReportInput, report } from './report.ts';
