// Serves dist/ for the whole run on a free port. With CAPAS_URL set (a running ./dev serve, say) that one is tested.
import { serve } from './serve.mjs';

export default async function setup() {
  if (process.env.CAPAS_URL) return undefined;
  const { url, close } = await serve('dist', { compress: false });
  process.env.CAPAS_URL = url;
  return close;
}
