/** The client of a server, for Node and browsers: `import { JamjetClient } from 'jamjet-runtime/client'`. */
export type { Diagnostic } from '../../machines/diagnostics.ts';
export type { Json, JsonObject } from '../../machines/json.ts';
export type { Status } from '../../machines/run.ts';
export type { AgentHeartbeat, AgentSearch, AgentsQuery, AgentTrace } from '../api/operations/agents.ts';
export type {
  AcceptedDecision,
  ApprovalCounts,
  ApprovalCountsQuery,
  Approvals,
  ApprovalsQuery,
  Approve,
} from '../api/operations/approvals.ts';
export type { AuditExportQuery, AuditFault, AuditQuery, AuditVerification, UnsignedBlocks } from '../api/operations/audit.ts';
export type { DeletedCronJob, PutCronJob, TriggeredCronJob } from '../api/operations/cron.ts';
export type {
  CancelExecution,
  CancelledExecution,
  ErrorGroup,
  ExecutionErrorsQuery,
  ForkedFrom,
  StartedExecution,
} from '../api/operations/executions.ts';
export type {
  ForkCheck,
  ForkedExecution,
  ForkQuery,
  PastActiveNode,
  ReplayedExecution,
  SnapshotsQuery,
  StateQuery,
} from '../api/operations/history.ts';
export type { PausedExecution, PauseExecution, ResumedExecution, TokenTotals } from '../api/operations/interventions.ts';
export type { JobsQuery, StartJob } from '../api/operations/jobs.ts';
export type {
  AddedToMemory,
  AddToMemory,
  FoundMemoryItem,
  MemoryItem,
  RemovedFromMemory,
  SearchMemoryQuery,
} from '../api/operations/memory.ts';
export type { NodeQuery } from '../api/operations/nodes.ts';
export type { CreateSignInLink, SignedIn, SignIn, SignInLink } from '../api/operations/sign-in.ts';
export type {
  CorrectedUsage,
  CorrectUsage,
  CreatedTenant,
  CreateTenant,
  RequestedRecount,
  TenantStorage,
  TenantsQuery,
  UpdatedTenant,
  UpdateTenant,
} from '../api/operations/tenants.ts';
export type { AppendedToThread, AppendToThread, DeletedThread } from '../api/operations/threads.ts';
export type { CreatedToken, CreateToken, RevokedToken, Token, TokenList } from '../api/operations/tokens.ts';
export type {
  CreatedWebhook,
  CreateWebhook,
  DeletedWebhook,
  DeliveriesQuery,
  TestedWebhook,
  UpdatedWebhook,
  UpdateWebhook,
} from '../api/operations/webhooks.ts';
export type {
  ClaimedWork,
  ClaimWork,
  CompletedWork,
  CompleteWork,
  EnqueuedWork,
  EnqueueWork,
  FailedWork,
  FailWork,
  Heartbeat,
  LostLease,
  RenewedLease,
  WorkItem,
} from '../api/operations/work-items.ts';
export type { WorkersQuery } from '../api/operations/workers.ts';
export type { WorkflowFindings } from '../api/operations/workflow-findings.ts';
export type { WorkflowVersion } from '../api/operations/workflows.ts';
export type { PutArtifactQuery, StoredArtifact } from '../api/schemas/artifacts.ts';
export type { ExecutionMachineQuery, WorkflowMachineQuery } from '../api/schemas/diagrams.ts';
export type {
  Event,
  EventList,
  EventOutline,
  EventStreamQuery,
  EventsQuery,
  SendEvent,
  TaggedEvent,
} from '../api/schemas/events.ts';
export type { PageSizes } from '../api/schemas/fields.ts';
export type { Health, Liveness, Readiness, ReadinessChecks, Unreadiness } from '../api/schemas/health.ts';
export type { UntypedWorkflow, WorkflowDefinition, WorkflowTypes } from '../builder/definition.ts';
export type { ArtifactClient } from '../client/artifacts.ts';
export type { AuditClient } from '../client/audit.ts';
export type { DiagramClient, DiagramFile } from '../client/diagrams.ts';
export type { HistoryClient } from '../client/history.ts';
export * from '../client/index.ts';
export type { JobClient } from '../client/jobs.ts';
export type { LiveClient, LiveProgress, LiveSelection, TenantEvent } from '../client/live.ts';
export type { MemoryClient } from '../client/memory.ts';
export type { StreamOptions } from '../client/reconnecting-stream.ts';
export type { ThreadClient } from '../client/threads.ts';
export type { Download } from '../client/transport.ts';
export type { Capabilities, Skill } from '../control/agents/card.ts';
