/**
 * The services that are answered here and their messages, for tools such as grpcurl that ask for
 * them. Only what is read here is described: Rerun's own definitions have more.
 *
 * @module
 */
/** A file of definitions. */
export interface ProtoFile {
  readonly name: string;
  readonly package: string;
  readonly imports?: readonly string[];
  /** Fields as in `.proto` files; all that follow `oneof NAME:` belong to it. */
  readonly messages: Readonly<Record<string, string>>;
  /** Names of the values, which count from 0. */
  readonly enums?: Readonly<Record<string, readonly string[]>>;
  /** By service and method: the types of the request and of the answer. */
  readonly services?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const COMMON: ProtoFile = {
  name: "rerun/v1alpha1/common.proto",
  package: "rerun.common.v1alpha1",
  enums: {
    StoreKind: ["STORE_KIND_UNSPECIFIED", "STORE_KIND_RECORDING", "STORE_KIND_BLUEPRINT"],
    Compression: ["COMPRESSION_UNSPECIFIED", "COMPRESSION_NONE", "COMPRESSION_LZ4"],
    EncoderVersion: ["ENCODER_VERSION_UNSPECIFIED", "ENCODER_VERSION_V0"],
  },
  messages: {
    ApplicationId: "string id = 1",
    StoreId: "StoreKind kind = 1; string recording_id = 2; ApplicationId application_id = 3",
    Tuid: "fixed64 time_ns = 1; fixed64 inc = 2",
    TableId: "string id = 1",
    DataframePart: "EncoderVersion encoder_version = 1; optional bytes payload = 2; " +
      "Compression compression = 3; optional uint64 uncompressed_size = 4",
  },
};

/** Messages about the beginning of a recording, which both definitions number alike. */
const STORE_INFO_MESSAGES = {
  StoreSource: "StoreSourceKind kind = 1; StoreSourceExtra extra = 2",
  StoreSourceExtra: "bytes payload = 1",
  StoreVersion: "int32 crate_version_bits = 1",
};
const LOG_MSG = "oneof msg: SetStoreInfo set_store_info = 1; ArrowMsg arrow_msg = 2; " +
  "BlueprintActivationCommand blueprint_activation_command = 3";

/** Names of an enumeration's values, which begin with that of the enumeration. */
function valuesOf(prefix: string, first: string): string[] {
  return [first, "C_SDK", "PYTHON_SDK", "RUST_SDK", "FILE", "VIEWER", "OTHER"].map((name) =>
    `${prefix}${name}`
  );
}

const LOG_MSGS: ProtoFile = {
  name: "rerun/v1alpha1/log_msg.proto",
  package: "rerun.log_msg.v1alpha1",
  imports: [COMMON.name],
  enums: {
    Encoding: ["ENCODING_UNSPECIFIED", "ENCODING_ARROW_IPC"],
    StoreSourceKind: valuesOf("STORE_SOURCE_KIND_", "UNSPECIFIED"),
  },
  messages: {
    ...STORE_INFO_MESSAGES,
    LogMsg: LOG_MSG,
    SetStoreInfo: "rerun.common.v1alpha1.Tuid row_id = 1; StoreInfo info = 2",
    StoreInfo: "rerun.common.v1alpha1.ApplicationId application_id = 1; " +
      "rerun.common.v1alpha1.StoreId store_id = 2; StoreSource store_source = 5; " +
      "StoreVersion store_version = 6",
    ArrowMsg: "rerun.common.v1alpha1.StoreId store_id = 1; " +
      "rerun.common.v1alpha1.Compression compression = 2; uint64 uncompressed_size = 3; " +
      "Encoding encoding = 4; bytes payload = 5; " +
      "optional rerun.common.v1alpha1.Tuid chunk_id = 6; optional bool is_static = 7",
    BlueprintActivationCommand: "rerun.common.v1alpha1.StoreId blueprint_id = 1; " +
      "bool make_active = 2; bool make_default = 3",
  },
};

const SDK_COMMS: ProtoFile = {
  name: "rerun/v1alpha1/sdk_comms.proto",
  package: "rerun.sdk_comms.v1alpha1",
  imports: [COMMON.name, LOG_MSGS.name],
  messages: {
    WriteMessagesRequest: "rerun.log_msg.v1alpha1.LogMsg log_msg = 1",
    WriteMessagesResponse: "",
    ReadMessagesRequest: "",
    ReadMessagesResponse: "rerun.log_msg.v1alpha1.LogMsg log_msg = 1",
    WriteTableRequest:
      "rerun.common.v1alpha1.TableId id = 1; rerun.common.v1alpha1.DataframePart data = 2",
    WriteTableResponse: "",
    ReadTablesRequest: "",
    ReadTablesResponse:
      "rerun.common.v1alpha1.TableId id = 1; rerun.common.v1alpha1.DataframePart data = 2",
  },
  services: {
    MessageProxyService: {
      WriteMessages: "stream WriteMessagesRequest -> WriteMessagesResponse",
      ReadMessages: "ReadMessagesRequest -> stream ReadMessagesResponse",
      WriteTable: "WriteTableRequest -> WriteTableResponse",
      ReadTables: "ReadTablesRequest -> stream ReadTablesResponse",
    },
  },
};

/** Log messages in the definition of SDK 0.22. */
const LOG_MSGS_V0: ProtoFile = {
  name: "rerun/v0/log_msg.proto",
  package: "rerun.log_msg.v0",
  enums: {
    StoreKind: ["Recording", "Blueprint"],
    Compression: ["NONE", "LZ4"],
    Encoding: ["Unknown", "ArrowIpc"],
    StoreSourceKind: valuesOf("", "UNKNOWN_KIND"),
  },
  messages: {
    ...STORE_INFO_MESSAGES,
    ApplicationId: "string id = 1",
    StoreId: "StoreKind kind = 1; string id = 2",
    Time: "int64 nanos_since_epoch = 1",
    Tuid: "fixed64 time_ns = 1; fixed64 inc = 2",
    LogMsg: LOG_MSG,
    SetStoreInfo: "Tuid row_id = 1; StoreInfo info = 2",
    StoreInfo: "ApplicationId application_id = 1; StoreId store_id = 2; " +
      "bool is_official_example = 3; Time started = 4; StoreSource store_source = 5; " +
      "StoreVersion store_version = 6",
    ArrowMsg: "StoreId store_id = 1; Compression compression = 2; int32 uncompressed_size = 3; " +
      "Encoding encoding = 4; bytes payload = 1000",
    BlueprintActivationCommand:
      "StoreId blueprint_id = 1; bool make_active = 2; bool make_default = 3",
  },
};

const SDK_COMMS_V0: ProtoFile = {
  name: "rerun/v0/sdk_comms.proto",
  package: "rerun.sdk_comms.v0",
  imports: [LOG_MSGS_V0.name],
  messages: { Empty: "" },
  services: {
    MessageProxy: {
      WriteMessages: "stream rerun.log_msg.v0.LogMsg -> Empty",
      ReadMessages: "Empty -> stream rerun.log_msg.v0.LogMsg",
    },
  },
};

const HEALTH: ProtoFile = {
  name: "grpc/health/v1/health.proto",
  package: "grpc.health.v1",
  enums: { ServingStatus: ["UNKNOWN", "SERVING", "NOT_SERVING"] },
  messages: {
    HealthCheckRequest: "string service = 1",
    HealthCheckResponse: "ServingStatus status = 1",
  },
  services: { Health: { Check: "HealthCheckRequest -> HealthCheckResponse" } },
};

/** The reflection service, of which there are two packages with the same messages. */
function reflection(version: string): ProtoFile {
  return {
    name: `grpc/reflection/${version}/reflection.proto`,
    package: `grpc.reflection.${version}`,
    messages: {
      ServerReflectionRequest: "string host = 1; oneof message_request: " +
        "string file_by_filename = 3; string file_containing_symbol = 4; " +
        "ExtensionRequest file_containing_extension = 5; " +
        "string all_extension_numbers_of_type = 6; string list_services = 7",
      ExtensionRequest: "string containing_type = 1; int32 extension_number = 2",
      ServerReflectionResponse: "string valid_host = 1; " +
        "ServerReflectionRequest original_request = 2; oneof message_response: " +
        "FileDescriptorResponse file_descriptor_response = 4; " +
        "ExtensionNumberResponse all_extension_numbers_response = 5; " +
        "ListServiceResponse list_services_response = 6; ErrorResponse error_response = 7",
      FileDescriptorResponse: "repeated bytes file_descriptor_proto = 1",
      ExtensionNumberResponse: "string base_type_name = 1; repeated int32 extension_number = 2",
      ListServiceResponse: "repeated ServiceResponse service = 1",
      ServiceResponse: "string name = 1",
      ErrorResponse: "int32 error_code = 1; string error_message = 2",
    },
    services: {
      ServerReflection: {
        ServerReflectionInfo: "stream ServerReflectionRequest -> stream ServerReflectionResponse",
      },
    },
  };
}

/** All files. */
export const PROTO_FILES: readonly ProtoFile[] = [
  COMMON,
  LOG_MSGS,
  SDK_COMMS,
  LOG_MSGS_V0,
  SDK_COMMS_V0,
  HEALTH,
  reflection("v1"),
  reflection("v1alpha"),
];
