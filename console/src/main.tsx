import { QueryClient } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiError } from '../../src/client/index.ts';
import { App } from './app.tsx';
import './styles/base.css';

const MAX_RETRIES = 2;

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // The stream says when something has changed.
      staleTime: Infinity,
      refetchOnWindowFocus: false,
      // A server on this machine, or in its network, can be reached when the browser says that it is offline.
      networkMode: 'always',
      refetchOnReconnect: 'always',
      retry: (failures, error) => failures < MAX_RETRIES && !(error instanceof ApiError && error.status < 500),
    },
    mutations: { networkMode: 'always' },
  },
});

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no #root');
createRoot(root).render(
  <StrictMode>
    <App queries={queries} />
  </StrictMode>,
);
