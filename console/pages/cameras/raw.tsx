import { EyeInvisibleOutlined, EyeOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { LiveAnswer } from '#grid/api/mod.ts';
import { call, useThing } from '../../api/mod.ts';
import { AskGrant, lengthText, useNow } from '../../parts/mod.ts';

const RENEW_MS = 10_000;

/** How this camera can be looked at now, and the raw grant that this person holds, if any. */
export function useLooking(camera: string): { live: LiveAnswer | undefined; grant: LiveAnswer['raw']['grants'][number] | null } {
  const now = useNow();
  const live = useThing<LiveAnswer>(['grants', 'live', camera], `/api/v1/cameras/${camera}/live`, RENEW_MS).data;
  const grant = live?.raw.grants.find(({ endsAt }) => endsAt > now) ?? null;
  return { live, grant };
}

/** To the raw view, which takes a purpose and an end, and back to the masked one before that. */
export function RawSwitch({ camera, live, grant }: { camera: string } & ReturnType<typeof useLooking>) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const now = useNow();
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const renew = () => client.invalidateQueries({ queryKey: ['grants'] });
  if (live === undefined || !live.raw.mayAsk) return null;
  if (grant === null)
    return (
      <>
        <Button icon={<EyeOutlined />} onClick={() => setAsking(true)}>
          {t('grants.raw')}
        </Button>
        {asking && (
          <AskGrant
            title={t('grants.rawTitle', { id: camera })}
            kind="raw-view"
            subject={{ of: 'camera', id: camera }}
            onClose={() => setAsking(false)}
            onGranted={renew}
          />
        )}
      </>
    );
  const end = async () => {
    setBusy(true);
    try {
      await call(`/api/v1/grants/${grant.id}/end`, { method: 'POST' });
    } finally {
      await renew();
      setBusy(false);
    }
  };
  return (
    <span className="raw-on">
      <span className="tag bad" title={grant.purpose}>
        <EyeOutlined /> {t('grants.endsIn', { time: lengthText(t, grant.endsAt - now) })}
      </span>
      <Button icon={<EyeInvisibleOutlined />} loading={busy} onClick={() => void end()}>
        {t('grants.end')}
      </Button>
    </span>
  );
}
