import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { ByState, PipelineAnswer, SituationAnswer } from '#grid/api/mod.ts';
import { DataAge } from '../../parts/mod.ts';

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0);

/** Each figure says how old it is and opens its work list. */
export function Tiles({
  situation,
  pipeline,
  at,
  pipelineAt,
}: {
  situation: SituationAnswer | undefined;
  pipeline: PipelineAnswer | undefined;
  at: number;
  pipelineAt: number;
}) {
  const { t, i18n } = useTranslation();
  const number = (n: number) => n.toLocaleString(i18n.language);
  const readings = pipeline?.lanes.find((l) => l.lane === 'readings')?.storedPerS;
  const of = (states: ByState) => t('situation.ofTotal', { n: number(sum(states)) });
  return (
    <div className="tiles">
      <Tile to="/cases" name={t('situation.openCases')} at={at} value={situation && number(sum(situation.openCases))} />
      <Tile
        to="/cases?severity=critical"
        name={t('situation.critical')}
        at={at}
        bad={(situation?.openCases.critical ?? 0) > 0}
        value={situation && number(situation.openCases.critical)}
      />
      <Tile
        to="/devices?state=offline"
        name={t('situation.sensors')}
        at={at}
        bad={(situation?.devices.offline ?? 0) > 0}
        value={situation && number(situation.devices.offline)}
        more={situation && of(situation.devices)}
      />
      <Tile
        to="/cameras"
        name={t('situation.cameras')}
        at={at}
        bad={situation !== undefined && situation.cameras.offline + situation.cameras.degraded > 0}
        value={situation && number(situation.cameras.offline + situation.cameras.degraded)}
        more={situation && of(situation.cameras)}
      />
      <Tile
        to="/devices?of=edges"
        name={t('situation.edges')}
        at={at}
        bad={situation !== undefined && situation.edges.online < sum(situation.edges)}
        value={situation && number(situation.edges.online)}
        more={situation && of(situation.edges)}
      />
      <Tile
        to="/pipeline"
        name={t('situation.throughput')}
        at={pipelineAt}
        value={readings === undefined ? undefined : t('situation.perSecond', { n: number(Math.round(readings)) })}
      />
    </div>
  );
}

export function Tile({
  to,
  name,
  value,
  more,
  at,
  bad = false,
}: {
  to: string;
  name: string;
  value: ReactNode;
  more?: ReactNode;
  /** UTC ms of the data. */
  at: number;
  bad?: boolean;
}) {
  return (
    <Link className={bad ? 'tile bad' : 'tile'} to={to}>
      <span className="tile-name">{name}</span>
      <span className="tile-value">
        {bad && <i aria-hidden="true">▲</i>}
        {value ?? '–'} {more && <small>{more}</small>}
      </span>
      <DataAge at={at} />
    </Link>
  );
}
