import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { CaseGrantsAnswer, GrantAnswer, GrantFilesAnswer } from '#grid/api/mod.ts';
import { useMay, useMe, useThing } from '../../api/mod.ts';
import { Ago, AskGrant, Moment, Panel, useNow } from '../../parts/mod.ts';

const RENEW_MS = 10_000;
/** While the edge has not answered. */
const WAITING_MS = 1_000;

/** Who has asked for originals of this case; none where this person may not know. */
export function useOriginals(id: string): CaseGrantsAnswer | undefined {
  const { knowGrants } = useMay();
  const path = knowGrants ? `/api/v1/cases/${id}/grants` : null;
  return useThing<CaseGrantsAnswer>(['grants', 'case', id], path, (data) =>
    data?.items.some((g) => g.state === 'active' && g.answer === null) ? WAITING_MS : RENEW_MS,
  ).data;
}

export function AskOriginal({ sha256, onClose }: { sha256: string; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  return (
    <AskGrant
      title={t('grants.originalTitle')}
      kind="original"
      subject={{ of: 'evidence', id: sha256 }}
      onClose={onClose}
      onGranted={() => client.invalidateQueries({ queryKey: ['grants'] })}
    />
  );
}

/** Who asked to see an original, why and until when, how often it was read; and the files, for their holder. */
export function Originals({ grants }: { grants: CaseGrantsAnswer }) {
  const { t } = useTranslation();
  const { name } = useMe();
  if (grants.items.length === 0) return null;
  return (
    <Panel title={t('grants.trail')}>
      <ul className="lines">
        {grants.items.map((grant) => (
          <li key={grant.id}>
            <State grant={grant} />
            <b>{grant.holder}</b>
            <q>{grant.purpose}</q>
            <span className="dim small">
              {t('grants.uses', { n: grant.uses })}
              {grant.lastUsedAt !== null && (
                <>
                  {' · '}
                  <Ago at={grant.lastUsedAt} />
                </>
              )}
              {grant.endedBy !== null &&
                ` · ${grant.endedBy === 'expired' ? t('grants.expired') : t('grants.endedBy', { name: grant.endedBy })}`}
            </span>
            <Moment at={grant.createdAt} />
            {grant.holder === name && grant.state === 'active' && grant.answer === 'sent' && <Files grant={grant} />}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function State({ grant: { state, answer, endsAt } }: { grant: GrantAnswer }) {
  const { t } = useTranslation();
  const now = useNow();
  if (state === 'over' || endsAt <= now) return <span className="tag low">○ {t('grants.over')}</span>;
  if (answer === null) return <span className="tag high">◔ {t('grants.waiting')}</span>;
  return answer === 'sent' ? (
    <span className="tag bad">● {t('grants.open')}</span>
  ) : (
    <span className="tag low">✕ {t('grants.missing')}</span>
  );
}

/** Never kept by the browser: they are gone with the grant. */
function Files({ grant }: { grant: GrantAnswer }) {
  const { t } = useTranslation();
  const path = `/api/v1/grants/${grant.id}/files`;
  const files = useThing<GrantFilesAnswer>(['grants', 'files', grant.id], path).data;
  return (
    <div className="files originals">
      {(files?.items ?? []).map((file) =>
        file.mediaType === 'video/mp4' ? (
          <video key={file.sha256} className="clip" controls muted playsInline src={`${path}/${file.sha256}`} />
        ) : (
          <figure key={file.sha256} className="picture">
            <img src={`${path}/${file.sha256}`} alt={t('grants.originalAlt')} />
          </figure>
        ),
      )}
    </div>
  );
}
