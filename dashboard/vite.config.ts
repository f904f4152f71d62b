import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Built into `dashboard/dist`, to be served at `/dashboard/`; `vite --config dashboard/vite.config.ts` serves the source. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/dashboard/',
  plugins: [react()],
  build: { target: 'es2023', outDir: 'dist', emptyOutDir: true },
});
