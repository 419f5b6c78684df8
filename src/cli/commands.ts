/** Every command, in the order in which `sallyport --help` shows them. A new one is a file and a line here. */

import { apiKeyCommand } from './api-key.js';
import { applyCommand } from './apply.js';
import type { Command } from './command.js';
import { exportCommand } from './export.js';
import { createFirstOwner } from './first-owner.js';
import { initCommand } from './init.js';
import { otpCommand } from './otp.js';
import { serveCommand } from './serve.js';
import { versionCommand } from './version.js';

/** What `sallyport` can do. */
export const COMMANDS: readonly Command[] = [
  initCommand(createFirstOwner),
  serveCommand,
  applyCommand,
  exportCommand,
  apiKeyCommand,
  otpCommand,
  versionCommand,
];
