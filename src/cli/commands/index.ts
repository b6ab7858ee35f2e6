import type { Commands } from '../help.ts';
import { ApprovalsCommand } from './approvals.ts';
import { ApproveCommand } from './approve.ts';
import { CancelCommand } from './cancel.ts';
import { DevCommand } from './dev.ts';
import { EventCommand } from './event.ts';
import { EventsCommand } from './events.ts';
import { InspectCommand } from './inspect.ts';
import { LsCommand } from './ls.ts';
import { RunCommand } from './run.ts';
import { ServeCommand } from './serve.ts';
import { TokenCreateCommand } from './token/create.ts';
import { TokenListCommand } from './token/list.ts';
import { TokenRevokeCommand } from './token/revoke.ts';
import { ValidateCommand } from './validate.ts';
import { WorkersCommand } from './workers.ts';

/** Every command, in the order of the help. */
export const COMMANDS: Commands = [
  RunCommand,
  ValidateCommand,
  LsCommand,
  InspectCommand,
  EventsCommand,
  ApprovalsCommand,
  ApproveCommand,
  EventCommand,
  CancelCommand,
  DevCommand,
  ServeCommand,
  TokenCreateCommand,
  TokenListCommand,
  TokenRevokeCommand,
  WorkersCommand,
];
