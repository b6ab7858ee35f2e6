import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The server whose API `npm run dev` shows. */
const SERVER = 'http://127.0.0.1:7700';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Relative URLs work behind the path prefix of a proxy. Pages are in the fragment, so that they share no path with the API.
  base: './',
  plugins: [react()],
  server: { proxy: { '^/(?!src/|node_modules/|@|$|index\\.html)': SERVER } },
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    assetsDir: 'console',
    // The content security policy admits no data: scripts, fonts or styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
    reportCompressedSize: false,
  },
});
