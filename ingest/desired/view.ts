import type { DesiredCameraAnswer, DesiredStatus, DesiredSummary } from '#grid/api/mod.ts';
import { type Calendars, DESIRED_CAMERA_PARTS, type DesiredState, fitGround, type Site } from '#grid/mod.ts';
import type { DesiredEdgesTable } from '../database/mod.ts';
import type { CameraParts } from './types.ts';

export function summaryOf(edge: string, revision: number, report: DesiredEdgesTable | undefined): DesiredSummary {
  const status = statusOf(revision, report);
  const notes = report === undefined || status === 'pending' ? [] : JSON.parse(report.notes_json);
  return { edge, revision, status, running: report?.running ?? null, reportedAt: report?.at ?? null, notes };
}

function statusOf(revision: number, report: DesiredEdgesTable | undefined): DesiredStatus {
  if (report?.verdict === 'ignored') return 'ignored';
  if (report !== undefined && Math.max(report.running, report.judged) > revision) return 'ahead';
  if (revision === 0) return 'none';
  if (report?.judged !== revision) return 'pending';
  return report.verdict === 'confirmed' ? 'confirmed' : 'refused';
}

/** What an editor shows of a camera: the centre's wish where there is one, else the edge's file. */
export function cameraView(
  summary: DesiredSummary,
  { site, state, camera, classes }: { site: Site | null; state: DesiredState; camera: string; classes: string[] | null },
): DesiredCameraAnswer {
  const own = site?.cameras.find((c) => c.id === camera);
  const wish = state.cameras?.[camera] ?? {};
  const exclude = wish.exclude ?? (own === undefined ? null : (own.exclude ?? []));
  const calibration = wish.calibration ?? own?.calibration ?? null;
  const fitted = own === undefined || calibration === null ? null : fitGround({ ...own, calibration });
  return {
    ...summary,
    camera,
    set: DESIRED_CAMERA_PARTS.filter((part) => wish[part] !== undefined),
    zones: wish.zones ?? own?.zones ?? null,
    exclude,
    calibration,
    fps: wish.fps ?? own?.fps ?? null,
    approvals: wish.approvals ?? own?.approvals ?? [],
    personRecall: wish.personRecall ?? own?.personRecall ?? null,
    residualsM: fitted === null || fitted.residualsM.length === 0 ? null : fitted.residualsM.map(finite),
    timeZone: site?.timeZone ?? null,
    calendars: Object.keys(calendarsOf(site, state)).sort(),
    classes,
  };
}

/** Those of the site's own file, and over them the centre's, by name. */
export function calendarsOf(site: Site | null, { calendars }: DesiredState): Calendars {
  return { ...site?.calendars, ...calendars };
}

/** JSON has no infinity: behind the horizon. */
const finite = (metres: number): number | null => (Number.isFinite(metres) ? Math.round(metres * 1000) / 1000 : null);

/** The state with some parts of one camera set or given back. */
export function withCamera(state: DesiredState, camera: string, parts: CameraParts): DesiredState {
  const merged = { ...state.cameras?.[camera], ...parts };
  const kept = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null && value !== undefined));
  const { [camera]: _, ...others } = state.cameras ?? {};
  const cameras = Object.keys(kept).length === 0 ? others : { ...others, [camera]: kept };
  const { cameras: __, ...rest } = state;
  return Object.keys(cameras).length === 0 ? rest : { ...rest, cameras };
}

/** The state with what people vouch for as another one has it: that is not written or brought back with the rest. */
export function withVouchedOf({ cameras: present = {} }: DesiredState, state: DesiredState): DesiredState {
  const ids = new Set([...Object.keys(state.cameras ?? {}), ...Object.keys(present)]);
  const vouched = (id: string) => {
    const { approvals = null, personRecall = null } = present[id] ?? {};
    return { approvals, personRecall };
  };
  return [...ids].reduce((merged, id) => withCamera(merged, id, vouched(id)), state);
}
