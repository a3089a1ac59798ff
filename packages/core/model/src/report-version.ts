/** Of a report's JSON. Grows when a reader would have to change; a new field alone does not. */
export const reportVersion = 1;
