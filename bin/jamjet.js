#!/usr/bin/env node
import { main } from '../dist/bundle/src/cli/main.js';

await main(process);
