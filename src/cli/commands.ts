/** Every command, in the order in which `sallyport --help` shows them. A new one is a file and a line here. */
import type { Command } from './command.js';
import { otpCommand } from './otp.js';
import { versionCommand } from './version.js';

/** What `sallyport` can do. */
export const COMMANDS: readonly Command[] = [otpCommand, versionCommand];
