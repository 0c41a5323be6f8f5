import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Subject } from '#grid/api/mod.ts';

const PLACES: Record<Subject['of'], (id: string) => string> = {
  edge: (id) => `/devices/edge/${id}`,
  device: (id) => `/devices/sensor/${id}`,
  camera: (id) => `/devices/camera/${id}`,
  group: (id) => `/devices?group=${id}`,
};

/** The way to what is kept going. */
export function SubjectLink({ subject: { of, id } }: { subject: Subject }) {
  const { t } = useTranslation();
  return (
    <span>
      <Link to={PLACES[of](id)}>{id}</Link> <span className="dim small">{t(`upkeep.subject.${of}`)}</span>
    </span>
  );
}
