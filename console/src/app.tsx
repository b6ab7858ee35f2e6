import type { QueryClient } from '@tanstack/react-query';
import { type ComponentType, lazy, Suspense } from 'react';
import { Redirect, Route, Router, Switch } from 'wouter';
import { Empty } from './components/empty.tsx';
import { Loading } from './components/loading.tsx';
import { NoticesProvider } from './components/notices.tsx';
import { PageErrors } from './components/page-errors.tsx';
import { TenantStream } from './live/tenant-stream.tsx';
import { useHashLocation, useHashSearch } from './routing/hash-location.ts';
import { SignedIn } from './session/signed-in.tsx';
import { ForRole } from './shell/for-role.tsx';
import { Shell } from './shell/shell.tsx';

/** `lazy` for a named export. */
function lazyPage(load: () => Promise<ComponentType>) {
  return lazy(async () => ({ default: await load() }));
}

// Each page is a file of its own, loaded when it is first shown.
const PAGES = {
  '/approvals': lazyPage(async () => (await import('./pages/approvals/approvals-page.tsx')).ApprovalsPage),
  '/workflows/:id': lazyPage(async () => (await import('./pages/workflows/workflow-page.tsx')).WorkflowPage),
  '/workflows': lazyPage(async () => (await import('./pages/workflows/workflows-page.tsx')).WorkflowsPage),
  '/threads': lazyPage(async () => (await import('./pages/threads/threads-page.tsx')).ThreadsPage),
  '/threads/:id': lazyPage(async () => (await import('./pages/threads/thread-page.tsx')).ThreadPage),
  '/executions': lazyPage(async () => (await import('./pages/executions/executions-page.tsx')).ExecutionsPage),
  '/executions/:id': lazyPage(async () => (await import('./pages/execution/execution-page.tsx')).ExecutionPage),
  '/jobs': lazyPage(async () => (await import('./pages/jobs/jobs-page.tsx')).JobsPage),
  '/jobs/:id': lazyPage(async () => (await import('./pages/jobs/job-page.tsx')).JobPage),
  '/agents': lazyPage(async () => (await import('./pages/agents/agents-page.tsx')).AgentsPage),
  '/agents/:id': lazyPage(async () => (await import('./pages/agents/agent-page.tsx')).AgentPage),
  '/audit': lazyPage(async () => (await import('./pages/audit/audit-page.tsx')).AuditPage),
  '/workers': lazyPage(async () => (await import('./pages/workers/workers-page.tsx')).WorkersPage),
  '/cron': lazyPage(async () => (await import('./pages/cron/cron-page.tsx')).CronPage),
  '/webhooks': lazyPage(async () => (await import('./pages/webhooks/webhooks-page.tsx')).WebhooksPage),
  '/webhooks/:id': lazyPage(async () => (await import('./pages/webhooks/webhook-page.tsx')).WebhookPage),
  '/tenants': lazyPage(async () => (await import('./pages/tenants/tenants-page.tsx')).TenantsPage),
  '/tenants/:id': lazyPage(async () => (await import('./pages/tenants/tenant-page.tsx')).TenantPage),
  '/tokens': lazyPage(async () => (await import('./pages/tokens/tokens-page.tsx')).TokensPage),
};

export function App({ queries }: { readonly queries: QueryClient }) {
  return (
    <Router hook={useHashLocation} searchHook={useHashSearch} hrefs={(path) => `#${path}`}>
      <NoticesProvider>
        <SignedIn queries={queries}>
          <TenantStream>
            <Shell>
              <PageErrors>
                <ForRole>
                  <Suspense fallback={<Loading what="the page" />}>
                    <Switch>
                      {Object.entries(PAGES).map(([path, Content]) => (
                        <Route key={path} path={path} component={Content} />
                      ))}
                      <Route path="/">
                        <Redirect to="/executions" replace />
                      </Route>
                      <Route>
                        <Empty title="There is no such page">
                          <a href="#/executions">Executions</a>
                        </Empty>
                      </Route>
                    </Switch>
                  </Suspense>
                </ForRole>
              </PageErrors>
            </Shell>
          </TenantStream>
        </SignedIn>
      </NoticesProvider>
    </Router>
  );
}
