/** Every command, in the order in which `sallyport --help` shows them. A new one is a file and a line here. */
import type { Command } from './command.js';
import { createFirstOwner } from './first-owner.js';
import { initCommand } from './init.js';
import { otpCommand } from './otp.js';
import { serveCommand } from './serve.js';
import { versionCommand } from './version.js';

/** What `sallyport` can do. */
export const COMMANDS: readonly Command[] = [initCommand(createFirstOwner), serveCommand, otpCommand, versionCommand];
