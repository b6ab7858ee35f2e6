import type { Cli, Definition } from 'clipanion';
import type { CommandClass } from 'clipanion/lib/advanced/Command';
