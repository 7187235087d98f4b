//! Keys as bank programs write them: with the punctuation of forms, in any case.

/// The text under which the directory knows a key that a program wrote so. Not a check: what is no
/// key is found by nobody.
pub fn canonical(kind: &str, key: &str) -> String {
    let key = key.trim();
    let without = |marks: &[char]| key.replace(marks, "");
    match kind.trim().to_ascii_lowercase().as_str() {
        "cpf" => without(&['.', '-', ' ']),
        "cnpj" => without(&['.', '-', '/', ' ']).to_ascii_uppercase(),
        "phone" => without(&['(', ')', '-', '.', ' ']),
        "email" | "evp" => key.to_ascii_lowercase(),
        _ if key.contains('@') => key.to_ascii_lowercase(),
        _ if key.starts_with('+') => without(&['(', ')', '-', '.', ' ']),
        _ if key.len() == 36 => key.to_ascii_lowercase(),
        _ => without(&['.', '-', '/', ' ']).to_ascii_uppercase(),
    }
}

/// What kind of key a text is, in the words of bank programs.
pub fn kind_of(key: &str) -> &'static str {
    let plain = canonical("", key);
    let digits = plain.bytes().all(|byte| byte.is_ascii_digit());
    match plain.len() {
        _ if plain.contains('@') => "email",
        _ if plain.starts_with('+') => "phone",
        11 if digits => "cpf",
        14 => "cnpj",
        _ => "evp",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_forms_add_is_dropped() {
        let cases = [
            ("cpf", "529.982.247-25", "52998224725", "cpf"),
            ("CPF", " 52998224725 ", "52998224725", "cpf"),
            ("", "529.982.247-25", "52998224725", "cpf"),
            ("email", "Maria@Example.com", "maria@example.com", "email"),
            ("", "Maria@Example.com", "maria@example.com", "email"),
            ("cnpj", "11.222.333/0001-81", "11222333000181", "cnpj"),
            ("phone", "+55 (11) 98765-4321", "+5511987654321", "phone"),
            ("", "+55 (11) 98765-4321", "+5511987654321", "phone"),
            (
                "evp",
                "6E4635CE-88D1-4E58-9597-D13FC446EE47",
                "6e4635ce-88d1-4e58-9597-d13fc446ee47",
                "evp",
            ),
        ];
        for (kind, written, known, told) in cases {
            assert_eq!(canonical(kind, written), known, "{kind} {written}");
            assert_eq!(kind_of(written), told, "{written}");
        }
    }
}
