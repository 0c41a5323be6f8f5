import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** An authority (`ca.pem`) and, signed by it for `localhost`, `server` and `client`, each with its key, in a folder. Returns paths by name. */
export async function makeCertificates(dir: string): Promise<(name: string) => string> {
  const openssl = (...args: string[]) => promisify(execFile)('openssl', args, { cwd: dir });
  const request = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-batch'];
  await openssl(...request, '-x509', '-days', '2', '-subj', '/CN=test authority', '-keyout', 'ca.key', '-out', 'ca.pem');
  for (const name of ['server', 'client']) {
    await openssl(...request, '-subj', '/CN=localhost', '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const signed = ['x509', '-req', '-days', '2', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
    await openssl(...signed, '-out', `${name}.pem`);
  }
  return (name) => join(dir, name);
}
