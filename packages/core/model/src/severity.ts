import { z } from "zod";
import { severities } from "./severities.ts";

export const severity = z.enum(severities);
