/** Every bound of the server in one place. Bytes and milliseconds. */
export interface Limits {
  /** Of a request to the API. */
  body: number;
  /** Of an agent's batch, as sent and as inflated. */
  batch: number;
  /** Of the request line and headers together. */
  headers: number;
  url: number;
  /** From the first byte of a request to its last. */
  requestTime: number;
  /** How long `close` waits for requests that are under way. */
  closeTime: number;
  /** Pages with an open stream. */
  streamClients: number;
  /** What one stream may have waiting before it is cut. */
  streamWaiting: number;
  /** Messages kept for streams that come back: by number and by size. */
  streamKept: number;
  streamKeptBytes: number;
  streamHeartbeat: number;
  /** Pages hear that flows of a cluster came at most this often. */
  flowNewsEvery: number;
  /** Pages hear that an alert happened again at most this often. */
  repeatNewsEvery: number;
  /** Free disk under the data folder below which nothing is ingested any more. */
  diskFloor: number;
  /** How often the advisory database's file is looked at. */
  advisoryPoll: number;
  healthEvery: number;
  retentionEvery: number;
  /** How often it is looked for registries that are due, and for scans of their images. */
  registryPoll: number;
  /** A scan whose replica has said nothing for so long is another's. */
  scanSilence: number;
  /** Until the first look at how clusters are set up, and between two. */
  clusterCheckFirst: number;
  clusterCheckEvery: number;
  /** How often it is asked whether a cluster is there that has not been looked at. */
  clusterCheckPoll: number;
  /** Until running objects are held against policies for the first time, how often it is looked whether they are to be, and
   * after how long they are although no policy has changed. */
  surveyFirst: number;
  surveyPoll: number;
  surveyEvery: number;
  /** How often it is noted how many findings are open. */
  trendEvery: number;
  /** How often it is looked for network policies that nobody has confirmed in time. */
  networkPoll: number;
  /** How often it is looked whether the last day of the network's map is added up. */
  networkPrepare: number;
  /** A replica that says nothing for so long is shown as silent, and after so much more is forgotten. */
  replicaSilence: number;
  replicaForgotten: number;
  /** A component whose node has been silent for so long is not believed any more. */
  silence: number;
  /** How long a replica has a cluster to itself without saying so again. */
  clusterLease: number;
  /** How long changes of a cluster are gathered before they are written. */
  clusterFlush: number;
  /** How often it is said how well a cluster is known. */
  clusterStatus: number;
  /** Living objects of one cluster; what is beyond is not kept, and counted. */
  clusterObjects: number;
  /** Of one review of admission. */
  reviewBody: number;
  /** Reviews of admission at once; what comes beyond is answered at once by the call's failure policy. */
  reviewsAtOnce: number;
  /** How often each cluster's webhook configuration is written again. */
  webhookEvery: number;
  /** How long after a cluster has been told of a new authority its certificates are used. */
  webhookSettle: number;
}

export const defaultLimits: Limits = {
  body: 1e6,
  batch: 32e6,
  headers: 16_384,
  url: 8192,
  requestTime: 30_000,
  closeTime: 5000,
  streamClients: 512,
  streamWaiting: 4e6,
  streamKept: 2048,
  streamKeptBytes: 16e6,
  streamHeartbeat: 15_000,
  flowNewsEvery: 2000,
  repeatNewsEvery: 1000,
  diskFloor: 200e6,
  advisoryPoll: 10_000,
  healthEvery: 15_000,
  retentionEvery: 600_000,
  registryPoll: 1000,
  scanSilence: 60_000,
  clusterCheckFirst: 120_000,
  clusterCheckEvery: 6 * 3_600_000,
  clusterCheckPoll: 60_000,
  surveyFirst: 60_000,
  surveyPoll: 5000,
  surveyEvery: 900_000,
  networkPoll: 5000,
  networkPrepare: 60_000,
  trendEvery: 900_000,
  replicaSilence: 45_000,
  replicaForgotten: 600_000,
  silence: 180_000,
  clusterLease: 15_000,
  clusterFlush: 200,
  clusterStatus: 5000,
  clusterObjects: 1_000_000,
  reviewBody: 8e6,
  reviewsAtOnce: 256,
  webhookEvery: 10_000,
  webhookSettle: 15_000,
};
