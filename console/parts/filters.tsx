import { SearchOutlined } from '@ant-design/icons';
import { Button, Input, Select } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';

const TYPING_MS = 250;

/** A filter lives in the URL, so that a list can be sent to a colleague. Undefined: not set. */
export function useFilter(name: string): [string | undefined, (value: string | undefined) => void] {
  const [params, setParams] = useSearchParams();
  const set = (value: string | undefined) =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        if (value === undefined || value === '') next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  return [params.get(name) ?? undefined, set];
}

export function SelectFilter({
  name,
  label,
  options,
}: {
  name: string;
  label: string;
  options: readonly { value: string; label: string }[];
}) {
  const { t } = useTranslation();
  const [value, set] = useFilter(name);
  const any = { value: '', label: `${label}: ${t('filter.any')}` };
  return (
    <Select
      className="filter"
      aria-label={label}
      value={value ?? ''}
      options={[any, ...options]}
      onChange={(v) => set(v === '' ? undefined : v)}
      popupMatchSelectWidth={false}
    />
  );
}

export function SearchFilter({ name = 'q' }: { name?: string }) {
  const { t } = useTranslation();
  const [value, set] = useFilter(name);
  const [text, setText] = useState(value ?? '');
  useEffect(() => setText(value ?? ''), [value]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what is typed starts the wait
  useEffect(() => {
    if (text === (value ?? '')) return;
    const timer = setTimeout(() => set(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <Input
      className="filter search"
      allowClear
      prefix={<SearchOutlined />}
      aria-label={t('filter.search')}
      placeholder={t('filter.search')}
      value={text}
      maxLength={64}
      onChange={(e) => setText(e.target.value)}
    />
  );
}

export function ClearFilters() {
  const { t } = useTranslation();
  const [params, setParams] = useSearchParams();
  if (params.size === 0) return null;
  return (
    <Button type="link" onClick={() => setParams({}, { replace: true })}>
      {t('action.clear')}
    </Button>
  );
}
