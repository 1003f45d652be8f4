import { nodeHttp } from "../../../lib/adapters/http/node_http.ts";
import { httpContract } from "../../contract/http_contract.ts";
import { httpDoorContract } from "../../contract/http_door_contract.ts";

httpContract(nodeHttp);
httpDoorContract(nodeHttp);
