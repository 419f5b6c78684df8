/** Every command, in the order in which `sallyport --help` shows them. A new one is a file and a line here. */

import { adminCommand } from './admin.js';
import { apiKeyCommand } from './api-key.js';
import { applyCommand } from './apply.js';
import type { Command } from './command.js';
import { eventsCommand } from './events.js';
import { exportCommand } from './export.js';
import { createFirstOwner } from './first-owner.js';
import { groupCommand } from './group.js';
import { importCommand } from './import.js';
import { initCommand } from './init.js';
import { ldapApplicationCommand } from './ldap-application.js';
import { otpCommand } from './otp.js';
import { radiusClientCommand } from './radius-client.js';
import { resourceCommand } from './resource.js';
import { serveCommand } from './serve.js';
import { tokenCommand } from './token.js';
import { userCommand } from './user.js';
import { versionCommand } from './version.js';
import { whyCommand } from './why.js';

/** What `sallyport` can do. */
export const COMMANDS: readonly Command[] = [
  initCommand(createFirstOwner),
  serveCommand,
  applyCommand,
  exportCommand,
  importCommand,
  userCommand,
  tokenCommand,
  groupCommand,
  resourceCommand,
  radiusClientCommand,
  ldapApplicationCommand,
  adminCommand,
  apiKeyCommand,
  eventsCommand,
  whyCommand,
  otpCommand,
  versionCommand,
];
