// The same workflow as workflow.yaml, in TypeScript.
import { Type, workflow } from 'jamjet-runtime';
import { total_sales } from './tools.mjs';

interface Sale {
  region: string;
  amount: number;
  currency: string;
}

const State = Type.Partial(
  Type.Object({
    service: Type.String(),
    date: Type.String(),
    sales: Type.Array(Type.Unsafe<Sale>({ type: 'object' })),
    rates: Type.Unsafe<Record<string, number>>({ type: 'object' }),
    report: Type.Unsafe<{ date: string; regions: Record<string, number>; total: number }>({ type: 'object' }),
    receipt: Type.Unsafe<{ id: string }>({ type: 'object' }),
  }),
);

export const dataPipeline = workflow({
  id: 'data-pipeline',
  version: '1.0.0',
  description: 'Fetch sales and exchange rates, convert and total them, post the report',
  state: State,
  start: 'fetch',
  tools: { total_sales },
  retryPolicies: {
    patient: { maxAttempts: 5, backoff: 'exponential', initialDelay: '200ms', maxDelay: '5s', jitter: true },
  },
  nodes: {
    fetch: { type: 'parallel', branches: ['fetch_sales', 'fetch_rates'], join: 'fetched' },
    fetch_sales: {
      type: 'http',
      method: 'GET',
      url: '{{ state.service }}/sales',
      query: { date: '{{ state.date }}' },
      outputKey: 'sales',
      timeout: '10s',
      retryPolicy: 'patient',
    },
    fetch_rates: {
      type: 'http',
      method: 'GET',
      url: '{{ state.service }}/rates/{{ state.date }}',
      outputKey: 'rates',
      timeout: '10s',
      retryPolicy: 'patient',
    },
    fetched: { type: 'join', waitFor: ['fetch_sales', 'fetch_rates'], next: 'total' },
    total: {
      type: 'tool',
      tool: 'total_sales',
      input: { date: '{{ state.date }}', sales: '{{ state.sales }}', rates: '{{ state.rates }}' },
      outputKey: 'report',
      next: 'post',
    },
    post: {
      type: 'http',
      method: 'POST',
      url: '{{ state.service }}/reports',
      headers: { 'x-source': 'data-pipeline' },
      body: { title: 'Sales of {{ state.date }}', report: '{{ state.report }}' },
      outputKey: 'receipt',
      timeout: '10s',
      retryPolicy: 'patient',
      next: 'end',
    },
  },
});
