//! The portal's words for the codes this emulator answers with.

/// The text of a code; empty placeholders are filled by the callers that need them.
pub(crate) fn text(code: &str) -> &'static str {
    match code {
        "1004" => "Header GSTIN is required",
        "1005" => "Invalid Token",
        "1006" => "User Name is required",
        "1007" => "Authentication failed. Pls. inform the helpdesk",
        "1010" => "Invalid Client-ID/Client-Secret",
        "1011" => "Client Id is required",
        "1012" => "Client Secret is required",
        "1014" => "Inactive User",
        "1015" => "Invalid GSTIN for this user",
        "1016" => "Decryption of App Key failed",
        "1017" => "Incorrect user id/User does not exists",
        "1018" => "Client Id is not mapped to this user",
        "1019" => "Incorrect Password",
        "1020" => "Decryption failed",
        "2142" => "Incomplete request parameters",
        "2143" => "Invoice does not belongs to the user GSTIN",
        "2144" => "Invalid document date format",
        "2145" => "IRN is not valid",
        "2148" | "4003" => "Requested IRN data is not available",
        "2150" => "Duplicate IRN",
        "2154" => "IRN details are not found",
        "2161" => "Invalid Document Type",
        "2163" => "The document date should not be future date",
        "2173" => "You have exceeded the limit of number of items",
        "2230" => {
            "This IRN cannot be cancelled because e-way bill has been generated , you can cancel e-way bill and then try cancelling IRN"
        }
        "2270" => "The allowed cancellation time limit is crossed, you cannot cancel the IRN",
        "2278" => {
            "IRN is already generated and is cancelled for this Document number. The duplicate IRN cannot be generated for the same number."
        }
        "2284" => "Document date is before the date from which documents are accepted",
        "2295" => "IRN is already generated for this document at another IRP",
        "2305" => {
            "IRN cannot be generated with document date prior to 30 days from today for suppliers with turnover above 10 Cr"
        }
        "2323" => "Ship-to GSTIN and recipient GSTIN cannot be the same",
        "2325" | "4074" => "Ship-to state code does not match its GSTIN",
        "3001" => "Requested data is not available",
        "3025" => "Already This Account Has Been Freezed",
        "3059" => "Client-Id for this PAN is not generated check your IP-Whitelisting status.",
        "3028" => "GSTIN is invalid",
        "3029" => "GSTIN is inactive or cancelled",
        "3039" => "PIN code does not belong to the state",
        "3098" => "Invalid IRP code",
        "4000" => "Status of the IRN is not active",
        "4002" => "EwayBill is already generated for this IRN",
        "4005" => "Eway Bill details are not found",
        "4009" => "E Way Bill can be generated provided at least HSN of one item belongs to goods.",
        "4010" => "E-way Bill cannot generated for Debit Note, Credit Note and Services.",
        "4011" => "Vehicle number should be passed in case of transportation mode is Road.",
        "4012" => "The transport document number should be passed for transportation modes air and rail",
        "4014" => "Invalid Vehicle Number",
        "4015" => "EWayBill will not be generated for blocked User",
        "4016" => "Transport document date cannot be a future date",
        "4017" => "Incorrect date format",
        "4018" => "Invalid Transporter ID",
        "4019" => "Provide Transporter ID in order to generate Part A of e-Way Bill",
        "4020" => "Invalid vehicle type .",
        "4021" => "Transporter document date cannot be earlier than the invoice date.",
        "4022" => "vehicle type should be passed in case of transportation mode is Road.",
        "4023" => "The transport document date should be passed for of transportation modes air and rail.",
        "4024" => "Vehicle type should not be ODC when transmode is other than road and ship",
        "4028" => "Transport mode is mandatory as Vehicle Number/Transport Document Number is given",
        "4029" => "Valid distance to be sent in case of same pin codes, you cannot send 0 as distance in this case.",
        "4030" => {
            "The distance between the pincodes is not available in the system, you need to pass the actual distance."
        }
        "4031" => "Ship to details are mandatory for export transactions to generate e-Way Bill.",
        "2324" => "Ship-to details given with the IRN cannot be replaced",
        "4032" => "Ship to state code cannot be other country code(96) for e-Way Bill generation",
        "4033" => "Ship to PIN code cannot be 999999 for e-Way Bill generation",
        "4034" => {
            "Since the you passed Supplier/Recepient/Dispatch from/Ship to Pincode as 999999, distance cannot be 0"
        }
        "4035" => "Dispatch state code cannot be other country code(96) for e-Way Bill generation",
        "4036" => "Dispatch PIN code cannot be 999999 for e-Way Bill generation",
        "4038" => "The distance between the pincodes given is too high",
        "4039" => "Vehicle type can not be regular when transport mode is ship",
        "4040" => "For Ship Transport, either vehicle number or transport document number is required",
        "5001" => "Application Error, Please Contact the help desk",
        "5002" => "Request body too large",
        "5003" => "Data cannot be null or empty",
        "9999" => "Invoice is not active",
        _ => "Error",
    }
}
