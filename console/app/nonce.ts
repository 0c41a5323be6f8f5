/** The server puts a fresh nonce into each page: styles that are made while it runs must carry it. */
export const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';

/**
 * Some components make styles and do not know of nonces (the scroll lock of dialogs). Only our own scripts run here, so each
 * style that a script makes may have it; what comes as markup still may not.
 */
export function giveNonceToStyles(): void {
  const create = document.createElement.bind(document) as (tag: string, options?: ElementCreationOptions) => HTMLElement;
  document.createElement = ((tag: string, options?: ElementCreationOptions) => {
    const element = create(tag, options);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    return element;
  }) as typeof document.createElement;
}
