import { nodeHttp } from "../../../lib/adapters/http/node_http.ts";
import { httpContract } from "../../contract/http_contract.ts";

httpContract(nodeHttp);
