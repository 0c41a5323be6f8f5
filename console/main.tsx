import './styles.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Console, giveNonceToStyles } from './app/mod.ts';
import { startI18n } from './i18n/mod.ts';

giveNonceToStyles();
await startI18n();
createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <Console />
  </StrictMode>,
);
