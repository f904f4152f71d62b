import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Built into `dashboard/dist`, to be served at `/dashboard/`. */
export default defineConfig(({ command }) => {
  // The environment of a test run would put React's development build into the site.
  if (command === 'build') process.env['NODE_ENV'] = 'production';
  return {
    root: import.meta.dirname,
    base: '/dashboard/',
    plugins: [react(), configFile(process.env)],
    build: { target: 'es2023', outDir: 'dist', emptyOutDir: true, manifest: true },
  };
});

/** Writes `config.json` where the build knows the project; elsewhere it is put there by hand, or served. */
function configFile(env: Record<string, string | undefined>): Plugin {
  const supabaseUrl = env['VITE_SUPABASE_URL'];
  const publishableKey = env['VITE_SUPABASE_PUBLISHABLE_KEY'];
  return {
    name: 'config.json',
    generateBundle() {
      if (!supabaseUrl || !publishableKey) return;
      if (publishableKey.startsWith('sb_secret_'))
        this.error('VITE_SUPABASE_PUBLISHABLE_KEY: expected a publishable key, got a secret one');
      const source = JSON.stringify({ supabaseUrl, publishableKey });
      this.emitFile({ type: 'asset', fileName: 'config.json', source });
    },
  };
}
